//! Transactions by number, for callers that cannot hold one: a table over [`Transaction`].

use std::collections::HashMap;

use crate::base::error::{Error, ErrorKind, Result};
use crate::sync::{Arc, Mutex};
use crate::txn::Transaction;

/// Open transactions by number. Numbers start at 1 and are not used again.
#[derive(Default)]
pub(super) struct Handles {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    last: u64,
    open: HashMap<u64, Arc<Transaction>>,
}

impl Handles {
    pub fn add(&self, transaction: Transaction) -> u64 {
        let mut table = self.table.lock();
        table.last += 1;
        let id = table.last;
        table.open.insert(id, Arc::new(transaction));
        id
    }

    pub fn get(&self, id: u64) -> Result<Arc<Transaction>> {
        self.table.lock().open.get(&id).cloned().ok_or_else(|| unknown(id))
    }

    /// Takes a transaction out; the number is unknown from now on.
    pub fn take(&self, id: u64) -> Result<Arc<Transaction>> {
        self.table.lock().open.remove(&id).ok_or_else(|| unknown(id))
    }

    /// Takes all transactions back.
    pub fn clear(&self) {
        let open = std::mem::take(&mut self.table.lock().open);
        drop(open);
    }
}

fn unknown(id: u64) -> Error {
    Error::new(ErrorKind::Closed, format!("transaction {id} has ended, or never began"))
}
