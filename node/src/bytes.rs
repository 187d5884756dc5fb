//! Bytes in: strings as UTF-8, and `Uint8Array`s.
#![allow(unsafe_code, reason = "Node-API is a C interface")]

use std::ptr;

use lightning_db_bindings::Error;
use napi_sys as sys;

use crate::env::{Env, Failure, Outcome, Value, check, slice};

/// Longest argument that is copied to the stack.
const STACK_LEN: usize = 256;
/// Longest encoding of one character: what `napi_get_value_string_utf8` may leave free behind a cut.
const CHARACTER_LEN: usize = 4;

/// Room for the bytes of an argument. They are copied: shared memory may change under us.
pub struct Room {
    stack: [u8; STACK_LEN],
    heap: Vec<u8>,
}

impl Room {
    /// No bytes.
    #[inline]
    pub fn new() -> Self {
        Room { stack: [0; STACK_LEN], heap: Vec::new() }
    }
}

impl Env {
    /// A string in. `expected`: the sentence if it is none.
    pub fn string_of(self, value: Value, expected: &'static str) -> Outcome<String> {
        let mut room = Room::new();
        match self.encoded(value, &mut room)? {
            Some(bytes) => Ok(String::from_utf8_lossy(bytes).into_owned()),
            None => Err(Failure::Type(expected)),
        }
    }

    /// The UTF-8 of a string, or the bytes of a `Uint8Array`.
    #[inline]
    pub fn bytes_of(self, value: Value, room: &mut Room) -> Outcome<&[u8]> {
        // A borrow that is returned from one arm ends in the other only by this detour.
        let length = match self.encoded(value, room)? {
            Some(bytes) => bytes.len(),
            None => self.viewed(value, room)?,
        };
        Ok(match length {
            0..=STACK_LEN if room.heap.is_empty() => room.stack.get(..length).unwrap_or_default(),
            _ => &room.heap,
        })
    }

    /// As [`Env::bytes_of`]; `None` for `undefined` and `null`.
    pub fn bytes_or_none(self, value: Value, room: &mut Room) -> Outcome<Option<&[u8]>> {
        match self.is_nothing(value)? {
            true => Ok(None),
            false => self.bytes_of(value, room).map(Some),
        }
    }

    /// The UTF-8 of a string; `None` if it is no string. Errors: `InvalidArgument` for a lone surrogate.
    #[inline]
    fn encoded(self, value: Value, room: &mut Room) -> Outcome<Option<&[u8]>> {
        room.heap.clear();
        let mut len = 0;
        let (data, size) = (room.stack.as_mut_ptr().cast(), STACK_LEN);
        // SAFETY: at most so many bytes are written, the last of them a 0.
        match unsafe { sys::napi_get_value_string_utf8(self.raw(), value, data, size, &mut len) } {
            sys::Status::napi_string_expected => return Ok(None),
            status => check(status)?,
        }
        if len < STACK_LEN - CHARACTER_LEN {
            let bytes = room.stack.get(..len).unwrap_or_default();
            self.check_surrogates(value, bytes)?;
            return Ok(Some(bytes));
        }
        // SAFETY: without room, only the length is told.
        check(unsafe { sys::napi_get_value_string_utf8(self.raw(), value, ptr::null_mut(), 0, &mut len) })?;
        room.heap.resize(len + 1, 0);
        let data = room.heap.as_mut_ptr().cast();
        // SAFETY: as above.
        check(unsafe { sys::napi_get_value_string_utf8(self.raw(), value, data, len + 1, &mut len) })?;
        room.heap.truncate(len);
        self.check_surrogates(value, &room.heap)?;
        Ok(Some(&room.heap))
    }

    /// Refuses a string that another one has the UTF-8 of: V8 encodes a lone surrogate as `U+FFFD`.
    #[inline]
    fn check_surrogates(self, value: Value, encoded: &[u8]) -> Outcome<()> {
        const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();
        match encoded.contains(&0xef) && encoded.windows(REPLACEMENT.len()).any(|at| at == REPLACEMENT) {
            true => self.check_units(value),
            false => Ok(()),
        }
    }

    #[cold]
    fn check_units(self, value: Value) -> Outcome<()> {
        let mut len = 0;
        // SAFETY: without room, only the length is told.
        check(unsafe { sys::napi_get_value_string_utf16(self.raw(), value, ptr::null_mut(), 0, &mut len) })?;
        let mut units = vec![0u16; len + 1];
        // SAFETY: at most so many units are written, the last of them a 0.
        check(unsafe {
            sys::napi_get_value_string_utf16(self.raw(), value, units.as_mut_ptr(), len + 1, &mut len)
        })?;
        units.truncate(len);
        match char::decode_utf16(units).all(|unit| unit.is_ok()) {
            true => Ok(()),
            false => Err(Error::invalid("a string with a lone surrogate has no UTF-8").into()),
        }
    }

    /// Copies the bytes of a `Uint8Array` and gives their number.
    #[inline]
    fn viewed(self, value: Value, room: &mut Room) -> Outcome<usize> {
        let (data, len) =
            self.view(value, sys::TypedarrayType::uint8_array, "a string or a Uint8Array is expected")?;
        room.heap.clear();
        // SAFETY: the array has so many bytes there, and no JavaScript runs before they are copied.
        let bytes = unsafe { slice(data, len) };
        match room.stack.get_mut(..len) {
            Some(stack) => stack.copy_from_slice(bytes),
            None => room.heap.extend_from_slice(bytes),
        }
        Ok(len)
    }
}
