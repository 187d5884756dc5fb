//! The manifest: which files are the database, on disk.

mod current;
mod edit;
mod log;
mod order;
mod state;
#[cfg(test)]
mod tests;

pub use edit::Edit;
pub use log::{Loaded, Manifest, in_force, load};
pub use order::order_of;
pub use state::{KeyspaceState, State};
