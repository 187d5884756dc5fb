//! What the tests of keyspaces share.

use lightning_db::{ErrorKind, Keyspace, KeyspaceOptions, NativeOrder, Result};

/// With a native order of keys.
pub fn ordered(order: NativeOrder) -> KeyspaceOptions {
    KeyspaceOptions { comparator: Some(Box::new(order)), ..Default::default() }
}

/// The kind of an error, if it is one.
pub fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

/// All entries, in the order of the keyspace.
pub fn all(keyspace: &Keyspace) -> Vec<(Vec<u8>, Vec<u8>)> {
    keyspace.scan(None, None).unwrap().map(Result::unwrap).collect()
}
