//! Which order the keys of a database have.

use std::path::Path;

use crate::base::comparator::KeyOrder;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::ids::KeyspaceId;
use crate::manifest::state::State;

/// The order that a database was made with: `asked`, or a native one. Errors: `Mismatch`.
pub fn order_of(state: &State, asked: Option<KeyOrder>, folder: &Path) -> Result<KeyOrder> {
    let stored = state.keyspaces.get(&KeyspaceId::DEFAULT).map_or("", |space| &space.meta.comparator);
    let mismatch = |problem: String| {
        let message = format!("{}: was made with comparator {stored:?}{problem}", folder.display());
        Error::new(ErrorKind::Mismatch, message).with_file(folder)
    };
    match asked {
        Some(order) if order.name() == stored => Ok(order),
        Some(order) => Err(mismatch(format!(" and is opened with {:?}", order.name()))),
        None => KeyOrder::native(stored).ok_or_else(|| mismatch(", which must be given".into())),
    }
}
