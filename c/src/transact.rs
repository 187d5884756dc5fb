//! A transaction as a callback that runs again when it meets a conflict.
#![allow(unsafe_code, reason = "an exported function that calls back into C")]

use std::ffi::{c_int, c_void};

use lightning_db_bindings::{Error, ErrorKind, Isolation, Result, Store, View, guard};

use crate::error;
use crate::handles::{DATABASES, TRANSACTIONS, lightning_db_t, lightning_db_txn_t};
use crate::txn;

/// What `lightning_db_transact` runs, with the `user` pointer that it was given. 0 commits. Any other number
/// takes the transaction back and is what `lightning_db_transact` returns: an error number that a call
/// returned, or a negative number for a reason of your own; but `LIGHTNING_DB_CONFLICT` begins again.
pub type lightning_db_work_t =
    Option<unsafe extern "C-unwind" fn(txn: *mut lightning_db_txn_t, user: *mut c_void) -> c_int>;

/// Runs `work` in a serializable transaction and commits it at the default level; begins again, after a short
/// pause, when it meets a Conflict, so `work` may run several times. `work` must not commit, abort or free
/// the transaction, nor keep it. Blocks while `work` runs, for a pause of at most 10 ms between two attempts,
/// and as `lightning_db_put`.
///
/// Returns 0 or an error number: what `work` returned, Conflict after 1000 attempts, or as
/// `lightning_db_txn_begin` and `lightning_db_txn_commit`. A C++ exception may leave `work`: the transaction
/// is taken back. `longjmp` may not.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn lightning_db_transact(
    db: *mut lightning_db_t,
    work: lightning_db_work_t,
    user: *mut c_void,
) -> c_int {
    let Some(work) = work else { return error::set(&Error::invalid("the callback is NULL")) };
    let store = match guard(|| DATABASES.with(db, |store| Ok(store.clone()))) {
        Ok(store) => store,
        Err(error) => return error::set(&error),
    };
    let mut attempt = 1;
    loop {
        let open = match Open::begin(&store) {
            Ok(open) => open,
            Err(error) => return error::set(&error),
        };
        // SAFETY: the caller gives a function of this type. It is outside of any guard: what it throws goes
        // through.
        let returned = unsafe { work(open.0, user) };
        let outcome = match returned {
            0 => guard(|| txn::commit(open.0, 0)),
            CONFLICT => Err(Error::new(ErrorKind::Conflict, "the callback returned a conflict")),
            code => return error::set_returned(code),
        };
        drop(open);
        let Err(error) = outcome else { return error::clear() };
        let Ok(Some(pause)) = guard(|| Ok(store.database().pause_before_retry(attempt, error.kind()))) else {
            return error::set(&error);
        };
        std::thread::sleep(pause);
        attempt += 1;
    }
}

const CONFLICT: c_int = ErrorKind::Conflict as c_int;

/// A handle that is freed also when an exception passes.
struct Open(*mut lightning_db_txn_t);

impl Open {
    fn begin(store: &Store) -> Result<Open> {
        guard(|| {
            let begun = store.transaction(Isolation::Serializable)?;
            TRANSACTIONS.insert(View::of_transaction(begun)).map(Open)
        })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // Closed if the callback freed it against the rules.
        let _ = guard(|| txn::free(self.0));
    }
}
