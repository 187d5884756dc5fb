//! A record in the arena: header, key, value.

// Reads memory behind a pointer.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::base::record::{Record, RecordKind};
use crate::memtable::arena::Arena;
use crate::prefetch::prefetch;

struct Header {
    sequence_and_kind: u64,
    key_len: u32,
    value_len: u32,
}

const HEADER: usize = size_of::<Header>();
const KIND_BITS: u32 = 8;

/// Bytes that a record takes at most beside its key and value.
pub const RECORD_OVERHEAD: usize = HEADER + align_of::<Header>() - 1;

/// A record that never moves or changes while `'t` lasts.
#[derive(Clone, Copy)]
pub struct StoredRecord<'t> {
    header: NonNull<Header>,
    lifetime: PhantomData<&'t [u8]>,
}

// SAFETY: a shared reference to bytes that nobody changes.
unsafe impl Send for StoredRecord<'_> {}
// SAFETY: as above.
unsafe impl Sync for StoredRecord<'_> {}

impl<'t> StoredRecord<'t> {
    /// Copies a record into the arena. Key and value are within the limits.
    ///
    /// # Safety
    /// All sizes asked of `arena` are multiples of 8, and it outlives `'t`.
    pub unsafe fn create(arena: &mut Arena, record: Record<'_>) -> Result<Self> {
        let Record { key, sequence, kind, value } = record;
        let size = (HEADER + key.len() + value.len()).next_multiple_of(align_of::<Header>());
        let start = arena.allocate(size)?;
        let header = start.cast::<Header>();
        debug_assert!(header.is_aligned());
        // SAFETY: `size` fresh bytes, aligned, that nobody else knows of.
        unsafe {
            header.write(Header {
                sequence_and_kind: sequence << KIND_BITS | kind as u64,
                key_len: key.len() as u32,
                value_len: value.len() as u32,
            });
            let bytes = start.add(HEADER);
            bytes.copy_from_nonoverlapping(NonNull::from(key).cast(), key.len());
            bytes.add(key.len()).copy_from_nonoverlapping(NonNull::from(value).cast(), value.len());
        }
        Ok(StoredRecord { header, lifetime: PhantomData })
    }

    /// The record whose [`raw`](Self::raw) this is.
    ///
    /// # Safety
    /// It comes from `raw`, and the arena of that record outlives `'t`.
    #[inline]
    pub unsafe fn from_raw(raw: NonNull<()>) -> Self {
        StoredRecord { header: raw.cast(), lifetime: PhantomData }
    }

    /// The address.
    #[inline]
    pub fn raw(self) -> NonNull<()> {
        self.header.cast()
    }

    /// The key.
    #[inline]
    pub fn key(self) -> &'t [u8] {
        self.bytes(0, self.header().key_len)
    }

    /// When it was committed.
    #[inline]
    pub fn sequence(self) -> SequenceNumber {
        self.header().sequence_and_kind >> KIND_BITS
    }

    /// All of it.
    #[inline]
    pub fn lend(self) -> Record<'t> {
        let header = self.header();
        let kind = RecordKind::from_byte(header.sequence_and_kind as u8);
        debug_assert!(kind.is_some());
        Record {
            key: self.bytes(0, header.key_len),
            sequence: header.sequence_and_kind >> KIND_BITS,
            kind: kind.unwrap_or(RecordKind::Put),
            value: self.bytes(header.key_len, header.value_len),
        }
    }

    /// Asks for the cache lines of header, key and start of the value.
    #[inline]
    pub fn prefetch(self) {
        prefetch(self.header.as_ptr().cast(), 3);
    }

    #[inline]
    fn header(self) -> &'t Header {
        // SAFETY: written by `create`, never changed, and the arena outlives `'t`.
        unsafe { self.header.as_ref() }
    }

    #[inline]
    fn bytes(self, from: u32, len: u32) -> &'t [u8] {
        // SAFETY: `create` wrote as many bytes as the header says behind it; they never change.
        unsafe {
            let start = self.header.cast::<u8>().add(HEADER + from as usize);
            NonNull::slice_from_raw_parts(start, len as usize).as_ref()
        }
    }
}
