//! Backups: consistent copies made while the database is written, and their verified restore.

mod create;
mod description;
mod files;
mod restore;

pub use create::create_backup;
pub use description::{BackupInfo, list_backups};
pub use restore::restore;
