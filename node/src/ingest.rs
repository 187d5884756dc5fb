//! Sorted entries on their way into tables.

use std::rc::Rc;
use std::sync::Arc;

use lightning_db_bindings::{Error, Exclusive, Ingest, Result, closed};

use crate::db::Handle;
use crate::env::{Env, Outcome, Value};
use crate::function::define as define_function;
use crate::jobs::{read, run_behind_writes};
use crate::reads::{bytes_in, first_item};

/// One load, and the handle through which it goes.
struct Load {
    handle: Rc<Handle>,
    ingest: Arc<Exclusive<Ingest>>,
}

/// `ingest(store)`: the object of a new load. One that is let go leaves no trace.
pub fn begin(handle: &Rc<Handle>, env: Env, [store]: [Value; 1]) -> Outcome {
    let ingest = handle.store(env.number_of(store)?)?.ingest()?;
    let ingest = Arc::new(Exclusive::new("ingest", ingest));
    let load = Rc::new(Load { handle: Rc::clone(handle), ingest });
    let object = env.object()?;
    define_function(env, object, "add", &load, add)?;
    define_function(env, object, "finish", &load, finish)?;
    define_function(env, object, "end", &load, |load, env, []| {
        drop(load.ingest.take());
        Ok(env.nothing())
    })?;
    Ok(object)
}

/// `add(ticket, packed, length)`: keys and values by turns, each as `length u32 | bytes`.
fn add(load: &Rc<Load>, env: Env, [ticket, packed, length]: [Value; 3]) -> Outcome {
    let packed = bytes_in(env, packed, length)?;
    let ingest = Arc::clone(&load.ingest);
    read(&load.handle.context, env.number_of(ticket)?, move || {
        ingest.with(|ingest| add_all(ingest, &packed))?;
        Ok(None)
    })?;
    Ok(env.nothing())
}

fn add_all(ingest: &mut Ingest, mut packed: &[u8]) -> Result<()> {
    while !packed.is_empty() {
        let entry = first_item(&mut packed).zip(first_item(&mut packed));
        let (key, value) = entry.ok_or_else(|| Error::invalid("cut packed entries"))?;
        ingest.add(key, value)?;
    }
    Ok(())
}

/// `finish(ticket)`: shows all entries at once, behind all writes that the handle has given before.
fn finish(load: &Rc<Load>, env: Env, [ticket]: [Value; 1]) -> Outcome {
    let ingest = Arc::clone(&load.ingest);
    run_behind_writes(&load.handle, env, ticket, move |_| {
        ingest.take().ok_or_else(|| closed("ingest"))?.finish().map(drop)
    })
}
