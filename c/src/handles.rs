//! What the handles of C stand for.

use lightning_db_bindings::{Cursor, Database, Snapshot, Transaction};

use crate::table::{Kind, Locked, Shared, Table};
use crate::{batch, options};

/// An open database. Made by `lightning_db_create` and `lightning_db_open`, freed by `lightning_db_destroy`.
pub struct lightning_db_t(());
/// Options of a database, by name. Made by `lightning_db_options_new`, freed by `lightning_db_options_free`.
pub struct lightning_db_options_t(());
/// Writes that are applied all or none. Made by `lightning_db_batch_new`, freed by `lightning_db_batch_free`.
pub struct lightning_db_batch_t(());
/// A walk over entries in key order. Made by `lightning_db_scan_new`, `lightning_db_snapshot_scan` and
/// `lightning_db_txn_scan`, freed by `lightning_db_scan_free`.
pub struct lightning_db_scan_t(());
/// The database as it was at one instant. Made by `lightning_db_snapshot_new`, freed by
/// `lightning_db_snapshot_free`.
pub struct lightning_db_snapshot_t(());
/// A transaction. Made by `lightning_db_txn_begin`, freed by `lightning_db_txn_free`.
pub struct lightning_db_txn_t(());

pub static DATABASES: Table<lightning_db_t, Shared<Database>> = Table::new(Kind::Database);
pub static OPTIONS: Table<lightning_db_options_t, Locked<options::Settings>> = Table::new(Kind::Options);
pub static BATCHES: Table<lightning_db_batch_t, Locked<batch::Writes>> = Table::new(Kind::Batch);
pub static SCANS: Table<lightning_db_scan_t, Locked<Cursor>> = Table::new(Kind::Scan);
pub static SNAPSHOTS: Table<lightning_db_snapshot_t, Shared<Snapshot>> = Table::new(Kind::Snapshot);
pub static TRANSACTIONS: Table<lightning_db_txn_t, Shared<Transaction>> = Table::new(Kind::Transaction);
