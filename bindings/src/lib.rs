//! What the C, Python and Node faces share: the engine crate, and (next) handles, error codes, options by name and packed cursors.

pub use lightning_db;
