//! Opening: what is in a folder, creation, replay of the logs, removal of left-overs. Check and repair.

mod check;
mod commit;
mod create;
mod files;
mod follow;
mod inspect;
mod log_scan;
mod open;
mod planted;
mod rebuild;
mod repair;
mod replay;
mod report;
mod survey;

pub use check::check;
pub use create::create;
pub use follow::follow;
pub use inspect::{Found, check_is_ours, inspect};
pub use open::{Opened, RecoveryReport, open};
pub use repair::repair;
pub use report::{CheckProgress, CheckReport, Finding, RepairReport};
pub use survey::Examination;
