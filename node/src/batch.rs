//! Writes: packed by JavaScript, committed by the engine's thread or at once.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use lightning_db_bindings::{WriteBatch, closed, packed, write};

use crate::commits::Reply;
use crate::db::Handle;
use crate::env::{Env, Outcome, Value};
use crate::function::define as define_function;
use crate::options::level_of;
use crate::reads::bytes_in;

/// The functions of a handle.
pub fn define(env: Env, object: Value, handle: &Rc<Handle>) -> Outcome<()> {
    define_function(env, object, "write", handle, write_async)?;
    define_function(env, object, "writeSync", handle, write_sync)
}

/// `write(ticket, packed, length, level)`: commits packed writes, whole or not at all.
fn write_async(handle: &Rc<Handle>, env: Env, [ticket, bytes, length, level]: [Value; 4]) -> Outcome {
    let level = level_of(env, level)?;
    let ticket = env.number_of(ticket)?;
    let bytes = bytes_in(env, bytes, length)?;
    let reply = Reply::Promise(ticket, Arc::clone(&handle.context.delivery));
    handle.engine()?.commits.write(bytes, level, reply, &handle.outstanding)?;
    handle.context.begin();
    Ok(env.nothing())
}

/// `writeSync(packed, length, level)`: the same, and waits. Behind all that this handle has given before.
fn write_sync(handle: &Rc<Handle>, env: Env, [bytes, length, level]: [Value; 3]) -> Outcome {
    let level = level_of(env, level)?;
    let engine = handle.engine()?;
    let bytes = bytes_in(env, bytes, length)?;
    if handle.is_idle() {
        let mut batch = WriteBatch::new();
        packed::unpack(&bytes, &mut batch)?;
        write::write(&engine.database, &batch, level)?;
        return Ok(env.nothing());
    }
    let (sender, receiver) = sync_channel(1);
    engine.commits.write(bytes, level, Reply::Thread(sender), &handle.outstanding)?;
    receiver.recv().unwrap_or_else(|_| Err(closed("database")))?;
    Ok(env.nothing())
}
