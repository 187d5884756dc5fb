//! The Python face: no calls yet, only its place in the build.

pub use lightning_db_bindings as bindings;
