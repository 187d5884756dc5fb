//! The manifest: which files are the database, on disk.

mod current;
mod edit;
mod log;
mod order;
mod state;
#[cfg(test)]
mod tests;

pub use edit::{Edit, KeyspaceMeta};
pub use log::{Loaded, Manifest, in_force, load, load_file};
pub use order::orders_of;
pub use state::{KeyspaceState, State};
