//! Transactions: two threads move money between accounts; a conflict is retried, nothing is lost.
//!
//! `cargo run -p lightning_db_examples --example transfer [FOLDER]`

use std::thread;

use lightning_db::{Database, Error, LightningDbConfig, Result, Transaction};
use lightning_db_examples::{Outcome, WorkFolder};

fn balance(tx: &Transaction, account: &str) -> Result<u64> {
    let Some(value) = tx.get(account)? else { return Ok(0) };
    let text = std::str::from_utf8(&value).ok();
    text.and_then(|text| text.parse().ok()).ok_or_else(|| Error::invalid(format!("{account} is no number")))
}

/// Moves an amount; `false` if there is not enough.
fn transfer(db: &Database, from: &str, to: &str, amount: u64) -> Result<bool> {
    db.transact(|tx| {
        let available = balance(tx, from)?;
        if available < amount {
            return Ok(false);
        }
        tx.put(from, (available - amount).to_string())?;
        tx.put(to, (balance(tx, to)? + amount).to_string())?;
        Ok(true)
    })
}

fn main() -> Outcome {
    let folder = WorkFolder::from_args()?;
    let db = Database::create(folder.join("transfer"), LightningDbConfig::default())?;
    db.put("alice", "1000")?;
    db.put("bob", "1000")?;

    thread::scope(|scope| {
        let there = scope.spawn(|| (0..100).try_for_each(|_| transfer(&db, "alice", "bob", 7).map(drop)));
        let back = scope.spawn(|| (0..100).try_for_each(|_| transfer(&db, "bob", "alice", 5).map(drop)));
        for thread in [there, back] {
            thread.join().map_err(|_| "a thread panicked")??;
        }
        Outcome::Ok(())
    })?;

    let tx = db.transaction()?;
    let (alice, bob) = (balance(&tx, "alice")?, balance(&tx, "bob")?);
    println!("alice {alice}, bob {bob}, together {}", alice + bob);
    assert_eq!((alice, bob), (800, 1200));
    tx.abort();

    db.close()?;
    Ok(())
}
