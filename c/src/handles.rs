//! What the handles of C stand for.

use lightning_db_bindings::{Cursor, Ingest, Snapshot, Store, Transaction, View};

use crate::table::{Kind, Locked, Shared, Table};
use crate::{batch, figures, options, report};

/// An open database, or one of its keyspaces. Made by `lightning_db_create`, `lightning_db_open`,
/// `lightning_db_open_read_only`, `lightning_db_keyspace` and `lightning_db_keyspace_create`, freed by
/// `lightning_db_destroy`.
pub struct lightning_db_t(());
/// Options of a database or a keyspace, by name. Made by `lightning_db_options_new`, freed by
/// `lightning_db_options_free`.
pub struct lightning_db_options_t(());
/// Writes that are applied all or none. Made by `lightning_db_batch_new`, freed by `lightning_db_batch_free`.
pub struct lightning_db_batch_t(());
/// A walk over entries in key order. Made by `lightning_db_scan_new`, `lightning_db_snapshot_scan` and
/// `lightning_db_txn_scan`, freed by `lightning_db_scan_free`.
pub struct lightning_db_scan_t(());
/// The database as it was at one instant. Made by `lightning_db_snapshot_new` and `lightning_db_snapshot_in`,
/// freed by `lightning_db_snapshot_free`.
pub struct lightning_db_snapshot_t(());
/// A transaction. Made by `lightning_db_txn_begin` and `lightning_db_txn_in`, freed by `lightning_db_txn_free`.
pub struct lightning_db_txn_t(());
/// Figures about a database, all of one instant, by name. Made by `lightning_db_metrics` and
/// `lightning_db_memory_stats`, freed by `lightning_db_figures_free`.
pub struct lightning_db_figures_t(());
/// Sorted entries on their way into tables. Made by `lightning_db_ingest_new`, freed by `lightning_db_ingest_free`.
pub struct lightning_db_ingest_t(());
/// What a check found, and what a repair did. Made by `lightning_db_check` and `lightning_db_repair`, freed by
/// `lightning_db_report_free`.
pub struct lightning_db_report_t(());

pub static DATABASES: Table<lightning_db_t, Shared<Store>> = Table::new(Kind::Database);
pub static OPTIONS: Table<lightning_db_options_t, Locked<options::Settings>> = Table::new(Kind::Options);
pub static BATCHES: Table<lightning_db_batch_t, Locked<batch::Writes>> = Table::new(Kind::Batch);
pub static SCANS: Table<lightning_db_scan_t, Locked<Cursor>> = Table::new(Kind::Scan);
pub static SNAPSHOTS: Table<lightning_db_snapshot_t, Shared<View<Snapshot>>> = Table::new(Kind::Snapshot);
pub static TRANSACTIONS: Table<lightning_db_txn_t, Shared<View<Transaction>>> = Table::new(Kind::Transaction);
pub static FIGURES: Table<lightning_db_figures_t, Shared<figures::Figures>> = Table::new(Kind::Figures);
pub static REPORTS: Table<lightning_db_report_t, Shared<report::Report>> = Table::new(Kind::Report);
/// `None` once it has ended.
pub static INGESTS: Table<lightning_db_ingest_t, Locked<Option<Ingest>>> = Table::new(Kind::Ingest);
