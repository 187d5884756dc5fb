//! Every fixed limit, once.

use crate::base::error::{Error, Result};

/// Longest key, in bytes. The empty key is allowed.
pub const MAX_KEY_LEN: usize = 65_535;
/// Longest value, in bytes.
pub const MAX_VALUE_LEN: usize = 1 << 30;
/// Most bytes of one batch or transaction, as encoded in the log.
pub const MAX_BATCH_BYTES: usize = MAX_VALUE_LEN + (16 << 20);
/// Most records in one batch or transaction.
pub const MAX_BATCH_RECORDS: usize = u32::MAX as usize;
/// Longest payload of one log chunk, in bytes.
pub const MAX_CHUNK_PAYLOAD: usize = 1 << 20;
/// `Eventual` commits are written to the log at the latest when they fill this many bytes.
pub const DEFERRED_LOG_BYTES: usize = 64 << 10;
/// A log is synced in the background when this many bytes of it are not on stable storage.
pub const SYNC_AHEAD_BYTES: u64 = 4 << 20;
/// A clean close leaves at most this many bytes of log to be replayed; more is flushed to a table first.
pub const CLEAN_CLOSE_LOG_BYTES: u64 = 256 << 10;
/// A compaction starts a new output table after half a memtable's worth of stored bytes, at most this many ...
pub const TARGET_TABLE_BYTES: u64 = 32 << 20;
/// ... and at least this many.
pub const SMALLEST_TARGET_BYTES: u64 = 256 << 10;
/// Number of levels, level 0 included.
pub const LEVELS: usize = 7;
/// Keys and ranges of recent commits kept for the conflict check, in bytes (estimated).
pub const CONFLICT_WINDOW_BYTES: usize = 64 << 20;

/// Refuses a key or value that is too long, before anything is written.
pub fn check_record(key: &[u8], value: &[u8]) -> Result<()> {
    check_key(key)?;
    if value.len() > MAX_VALUE_LEN {
        return Err(Error::invalid(format!(
            "value of {} bytes: at most {MAX_VALUE_LEN} are allowed",
            value.len()
        )));
    }
    Ok(())
}

/// Refuses a key that is too long.
pub fn check_key(key: &[u8]) -> Result<()> {
    if key.len() > MAX_KEY_LEN {
        return Err(Error::invalid(format!("key of {} bytes: at most {MAX_KEY_LEN} are allowed", key.len())));
    }
    Ok(())
}
