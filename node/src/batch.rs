//! Writes: packed by JavaScript, committed by the engine's thread or at once.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use lightning_db_bindings::{Store, WriteBatch, closed, packed, write};

use crate::commits::{Reply, Write, how};
use crate::db::Handle;
use crate::env::{Env, Outcome, Value};
use crate::function::define as define_function;
use crate::options::{deadline_of, level_of};
use crate::reads::bytes_in;

/// The functions of a handle.
pub fn define(env: Env, object: Value, handle: &Rc<Handle>) -> Outcome<()> {
    define_function(env, object, "write", handle, write_async)?;
    define_function(env, object, "writeSync", handle, write_sync)
}

/// `packed, length, level, timeout, stores`: an array of numbers, or nothing for the database alone.
fn write_of(
    handle: &Rc<Handle>,
    env: Env,
    [bytes, length, level, timeout, stores]: [Value; 5],
) -> Outcome<Write> {
    let level = level_of(env, level)?;
    let deadline = deadline_of(env, timeout)?;
    let stores = stores_of(handle, env, stores)?;
    Ok(Write { bytes: bytes_in(env, bytes, length)?, stores, level, deadline })
}

fn stores_of(handle: &Rc<Handle>, env: Env, stores: Value) -> Outcome<Arc<[Store]>> {
    if env.is_nothing(stores)? {
        return Ok(Arc::clone(&handle.engine()?.alone));
    }
    let mut found = Vec::new();
    for number in env.elements(stores)? {
        found.push(handle.store(env.number_of(number)?)?);
    }
    Ok(found.into())
}

/// `write(ticket, packed, length, level, timeout, stores)`: commits packed writes, whole or not at all.
fn write_async(handle: &Rc<Handle>, env: Env, [ticket, write @ ..]: [Value; 6]) -> Outcome {
    let ticket = env.number_of(ticket)?;
    let reply = Reply::Promise(ticket, Arc::clone(&handle.context.delivery));
    let write = write_of(handle, env, write)?;
    handle.engine()?.commits.write(write, reply, &handle.outstanding)?;
    handle.context.begin();
    Ok(env.nothing())
}

/// `writeSync(packed, length, level, timeout, stores)`: the same, and waits. Behind all that this handle has given before.
fn write_sync(handle: &Rc<Handle>, env: Env, write: [Value; 5]) -> Outcome {
    let write = write_of(handle, env, write)?;
    let engine = handle.engine()?;
    if handle.is_idle() {
        let mut batch = WriteBatch::new();
        packed::unpack(&write.bytes, &mut batch, &write.stores)?;
        write::write(&engine.store, &batch, how(write.level, write.deadline))?;
        return Ok(env.nothing());
    }
    let (sender, receiver) = sync_channel(1);
    engine.commits.write(write, Reply::Thread(sender), &handle.outstanding)?;
    receiver.recv().unwrap_or_else(|_| Err(closed("database")))?;
    Ok(env.nothing())
}
