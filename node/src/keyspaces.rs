//! Keyspaces by number.

use std::rc::Rc;

use lightning_db_bindings::{Database, Result, Store};

use crate::db::Handle;
use crate::env::{Env, Outcome, Value};
use crate::function::define as define_function;
use crate::jobs::run_behind_writes;
use crate::options::Options;

const EXPECTED_NAME: &str = "the name of a keyspace is a string";

/// The functions of a handle.
pub fn define(env: Env, object: Value, handle: &Rc<Handle>) -> Outcome<()> {
    define_function(env, object, "createKeyspace", handle, |handle, env, [ticket, name, options]| {
        let create = creation(env, name, options)?;
        run_behind_writes(handle, env, ticket, create)
    })?;
    define_function(env, object, "createKeyspaceSync", handle, |handle, env, [name, options]| {
        let create = creation(env, name, options)?;
        wait_behind_writes(handle, env, create)
    })?;
    define_function(env, object, "dropKeyspace", handle, |handle, env, [ticket, name]| {
        let name = env.string_of(name, EXPECTED_NAME)?;
        run_behind_writes(handle, env, ticket, move |db| db.drop_keyspace(&name))
    })?;
    define_function(env, object, "dropKeyspaceSync", handle, |handle, env, [name]| {
        let name = env.string_of(name, EXPECTED_NAME)?;
        wait_behind_writes(handle, env, move |db| db.drop_keyspace(&name))
    })?;
    define_function(env, object, "keyspace", handle, keyspace)?;
    define_function(env, object, "listKeyspaces", handle, list)
}

fn creation(
    env: Env,
    name: Value,
    options: Value,
) -> Outcome<impl FnOnce(&Database) -> Result<()> + Send + 'static> {
    let name = env.string_of(name, EXPECTED_NAME)?;
    let options = Options::from_values(env, options)?;
    Ok(move |db: &Database| db.create_keyspace(&name, options.for_keyspace()?).map(drop))
}

/// Works on this thread, behind all that this handle has given before.
fn wait_behind_writes(
    handle: &Rc<Handle>,
    env: Env,
    work: impl FnOnce(&Database) -> Result<()> + Send + 'static,
) -> Outcome {
    let engine = handle.engine()?;
    if !handle.is_idle() {
        engine.commits.wait(|| Ok(()), &handle.outstanding)?;
    }
    work(engine.store.database())?;
    Ok(env.nothing())
}

/// `keyspace(name)`: the number of a new handle of a keyspace.
fn keyspace(handle: &Rc<Handle>, env: Env, [name]: [Value; 1]) -> Outcome {
    let name = env.string_of(name, EXPECTED_NAME)?;
    let store: Store = handle.engine()?.store.keyspace_named(&name)?;
    env.number(handle.keyspaces.borrow_mut().add(store)?)
}

/// `listKeyspaces()`: their names.
fn list(handle: &Rc<Handle>, env: Env, []: [Value; 0]) -> Outcome {
    let names = handle.engine()?.store.database().list_keyspaces()?;
    let names: Outcome<Vec<_>> = names.iter().map(|name| env.text(name.as_bytes())).collect();
    env.array(&names?)
}
