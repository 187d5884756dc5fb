//! Zstd with its working memory kept: making a context costs more than a page.

use std::cell::RefCell;
use std::fmt;

use zstd::bulk::{Compressor, Decompressor};

/// A compressor with its context.
pub struct ZstdCompressor(Compressor<'static>);

impl ZstdCompressor {
    /// `None` if there is no memory for it.
    pub fn new(level: i32) -> Option<Self> {
        Compressor::new(level).ok().map(ZstdCompressor)
    }

    /// Bytes of the frame that `out` then starts with.
    pub fn compress(&mut self, raw: &[u8], out: &mut [u8]) -> Option<usize> {
        self.0.compress_to_buffer(raw, out).ok()
    }
}

impl fmt::Debug for ZstdCompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ZstdCompressor")
    }
}

/// Bytes of the longest frame.
pub fn max_compressed_len(raw_len: usize) -> usize {
    zstd::zstd_safe::compress_bound(raw_len)
}

/// Bytes written to the start of `out`; `None` for bytes that are no frame, or one that does not fit.
pub fn decompress(stored: &[u8], out: &mut [u8]) -> Option<usize> {
    thread_local! {
        static CONTEXT: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
    }
    CONTEXT.with_borrow_mut(|context| {
        if context.is_none() {
            *context = Decompressor::new().ok();
        }
        context.as_mut()?.decompress_to_buffer(stored, out).ok()
    })
}
