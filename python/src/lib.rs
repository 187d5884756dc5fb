//! The Python face: the native module `lightning_db._native`, under the package in `python/lightning_db/`.
//!
//! * [`reader`]: reads, the same for databases, keyspaces, snapshots and transactions.
//! * [`store`]: writes, the same for databases and keyspaces.
//! * [`db`], [`keyspace`], [`snapshot`], [`txn`]: what each has beside them.
//! * [`upkeep`], [`check`]: compaction and figures of a database; check and repair of one that is closed.
//! * [`batch`], [`writes`], [`ingest`]: writes that are applied together.
//! * [`cursor`], [`bounds`]: iterators.
//! * [`bytes`], [`options`], [`error`]: arguments and results.
//!
//! Who holds the interpreter's lock takes no lock that is held for long, and nothing asks for the
//! interpreter's lock while it holds another: so neither can wait for the other.

mod batch;
mod bounds;
mod bytes;
mod check;
mod cursor;
mod db;
mod error;
#[cfg(feature = "faults")]
mod faults;
mod ingest;
mod keyspace;
mod options;
mod reader;
mod snapshot;
mod store;
mod txn;
mod upkeep;
mod writes;

/// The engine, as Python sees it. Use the package `lightning_db` instead.
#[pyo3::pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use crate::batch::Batch;
    #[pymodule_export]
    use crate::check::{_check, _repair};
    #[pymodule_export]
    use crate::cursor::{ItemsIterator, KeysIterator, ValuesIterator};
    #[pymodule_export]
    use crate::db::{Database, restore};
    #[pymodule_export]
    use crate::error::{_error, _error_kinds, _nothing};
    #[cfg(feature = "faults")]
    #[pymodule_export]
    use crate::faults::_test_disk;
    #[pymodule_export]
    use crate::keyspace::Keyspace;
    #[pymodule_export]
    use crate::options::{_isolations, _keyspace_options, _levels, _meanings, _options};
    #[pymodule_export]
    use crate::reader::Reader;
    #[pymodule_export]
    use crate::snapshot::Snapshot;
    #[pymodule_export]
    use crate::store::Store;
    #[pymodule_export]
    use crate::txn::Transaction;

    #[pymodule_export]
    const VERSION: &str = lightning_db_bindings::VERSION;
    #[pymodule_export]
    const MAX_KEY_LEN: usize = lightning_db_bindings::MAX_KEY_LEN;
    #[pymodule_export]
    const MAX_VALUE_LEN: usize = lightning_db_bindings::MAX_VALUE_LEN;
}
