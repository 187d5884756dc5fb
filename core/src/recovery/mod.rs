//! Opening: what is in a folder, creation, replay of the logs, removal of left-overs.

mod create;
mod files;
mod inspect;
mod open;
mod replay;

pub use create::create;
pub use inspect::{Found, inspect};
pub use open::{Opened, RecoveryReport, open};
