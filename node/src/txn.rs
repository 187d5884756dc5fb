//! Transactions by number.

use std::rc::Rc;
use std::sync::Arc;

use lightning_db_bindings::{ErrorKind, View, guard};

use crate::bytes::Room;
use crate::db::Handle;
use crate::delivery::Completion;
use crate::env::{Env, Outcome, Value};
use crate::function::define as define_function;
use crate::options::{isolation_of, level_of};

/// The functions of a handle.
pub fn define(env: Env, object: Value, handle: &Rc<Handle>) -> Outcome<()> {
    define_function(env, object, "begin", handle, begin)?;
    define_function(env, object, "transactionPut", handle, put)?;
    define_function(env, object, "transactionDelete", handle, delete)?;
    define_function(env, object, "commit", handle, commit)?;
    define_function(env, object, "commitSync", handle, commit_sync)?;
    define_function(env, object, "abort", handle, abort)?;
    define_function(env, object, "pause", handle, pause)
}

/// `begin(store, isolation)`: the number of a new transaction, through a store.
fn begin(handle: &Rc<Handle>, env: Env, [store, isolation]: [Value; 2]) -> Outcome {
    let store = handle.store(env.number_of(store)?)?;
    let transaction = View::of_transaction(store.transaction(isolation_of(env, isolation)?)?);
    env.number(handle.transactions.borrow_mut().add(transaction)?)
}

/// `transactionPut(target, key, value)`.
fn put(handle: &Rc<Handle>, env: Env, [target, key, value]: [Value; 3]) -> Outcome {
    let (mut key_room, mut value_room) = (Room::new(), Room::new());
    let key = env.bytes_of(key, &mut key_room)?;
    let value = env.bytes_of(value, &mut value_room)?;
    handle.transaction(env.number_of(target)?)?.put(key, value)?;
    Ok(env.nothing())
}

/// `transactionDelete(target, key)`.
fn delete(handle: &Rc<Handle>, env: Env, [target, key]: [Value; 2]) -> Outcome {
    let mut room = Room::new();
    let key = env.bytes_of(key, &mut room)?;
    handle.transaction(env.number_of(target)?)?.delete(key)?;
    Ok(env.nothing())
}

/// `commit(ticket, target, level)`: its number is closed, whatever the outcome.
fn commit(handle: &Rc<Handle>, env: Env, [ticket, target, level]: [Value; 3]) -> Outcome {
    let (ticket, target) = (env.number_of(ticket)?, env.number_of(target)?);
    let level = level_of(env, level)?;
    let engine = handle.engine()?;
    let transaction = handle.take_transaction(target)?;
    let delivery = Arc::clone(&handle.context.delivery);
    let work = move || {
        let outcome = guard(move || transaction.commit(level)).map(|()| None);
        delivery.send([Completion { ticket, outcome }]);
    };
    engine.commits.then(work, &handle.outstanding)?;
    handle.context.begin();
    Ok(env.nothing())
}

/// `commitSync(target, level)`.
fn commit_sync(handle: &Rc<Handle>, env: Env, [target, level]: [Value; 2]) -> Outcome {
    let target = env.number_of(target)?;
    let level = level_of(env, level)?;
    let engine = handle.engine()?;
    let transaction = handle.take_transaction(target)?;
    match handle.is_idle() {
        true => transaction.commit(level)?,
        false => engine.commits.wait(move || transaction.commit(level), &handle.outstanding)?,
    }
    Ok(env.nothing())
}

/// `abort(target)`: takes it back; its number is closed.
fn abort(handle: &Rc<Handle>, env: Env, [target]: [Value; 1]) -> Outcome {
    let target = env.number_of(target)?;
    handle.take_transaction(target)?.abort()?;
    Ok(env.nothing())
}

/// `pause(attempt)`: milliseconds until a transaction that lost is run again; `undefined` if it has lost too often.
fn pause(handle: &Rc<Handle>, env: Env, [attempt]: [Value; 1]) -> Outcome {
    let attempt = env.number_of(attempt)? as u32;
    match handle.engine()?.store.database().pause_before_retry(attempt, ErrorKind::Conflict) {
        Some(pause) => env.number(pause.as_secs_f64() * 1000.0),
        None => Ok(env.nothing()),
    }
}
