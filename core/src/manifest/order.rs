//! Which order the keys of each keyspace have.

use std::path::Path;

use crate::base::comparator::{GivenOrders, KeyOrder};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::ids::KeyspaceId;
use crate::base::per_keyspace::PerKeyspace;
use crate::manifest::edit::KeyspaceMeta;
use crate::manifest::state::State;

/// The orders that the keyspaces were made with, from those that are given and the native ones. Errors:
/// `Mismatch`, which names keyspace and comparator.
pub fn orders_of(state: &State, given: &GivenOrders, folder: &Path) -> Result<PerKeyspace<KeyOrder>> {
    let order = |(id, space)| Ok((id, order_of(space, given, folder)?));
    state.keyspaces.iter().map(|(id, space)| (*id, &space.meta)).map(order).collect()
}

fn order_of(meta: &KeyspaceMeta, given: &GivenOrders, folder: &Path) -> Result<KeyOrder> {
    let made_with = &meta.comparator;
    let mismatch = |problem: String| {
        let (path, name) = (folder.display(), &meta.name);
        let message = format!("{path}: keyspace {name:?} was made with comparator {made_with:?}{problem}");
        Err(Error::new(ErrorKind::Mismatch, message).with_file(folder))
    };
    match &given.default {
        Some(order) if meta.id == KeyspaceId::DEFAULT && order.name() != made_with => {
            mismatch(format!(" and is opened with {:?}: give the one that it was made with", order.name()))
        }
        _ => given.named(made_with).map_or_else(
            || mismatch(", one of its maker's own, which must be given at every open".into()),
            Ok,
        ),
    }
}
