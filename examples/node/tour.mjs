// The tour in Node; examples/rust/tour.rs says what it is.

import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { crc32 } from 'node:zlib'

import { Database, LightningDbError } from 'lightning-db'

const BATCH = 1000
// Every so manieth key is read by its own.
const STEP = 101

async function load(database, input) {
  const db = await Database.open(database)
  let batch = []
  for await (const line of createInterface({ input: createReadStream(input) })) {
    const [key, value] = line.split('\t')
    batch.push({ type: 'put', key, value })
    if (batch.length === BATCH) {
      await db.batch(batch)
      batch = []
    }
  }
  await db.batch(batch)
  await db.close()
}

const say = (question, answer) => console.log(`${question}\t${answer}`)

const text = (crc) => crc.toString(16).padStart(8, '0')

function digest(parts) {
  let crc = 0
  for (const part of parts) crc = crc32(part, crc)
  return text(crc)
}

async function summary(entries) {
  let count = 0
  let crc = 0
  for await (const [key, value] of entries) {
    count++
    crc = crc32(value, crc32(key, crc))
  }
  return `${count} ${text(crc)}`
}

async function gets(db) {
  const keys = await db.keys({ prefix: 'city/' }).all()
  say('keys', keys.length)
  const sample = keys.filter((_, index) => index % STEP === 0)
  say('gets', `${sample.length} ${digest(sample.map((key) => db.getSync(key)))}`)
  say('get many', digest(await db.getMany(sample)))
  say('absent key', (await db.get('city/nowhere')) === undefined ? 'none' : 'a value')
}

async function scans(db) {
  say('scan all cities', await summary(db.entries({ prefix: 'city/' })))
  say('scan one country', await summary(db.entries({ prefix: 'city/JP/' })))
  say('scan backwards', await summary(db.entries({ prefix: 'city/', reverse: true })))
  say('scan a range', await summary(db.entries({ gte: 'city/DE/', lte: 'city/FR/Paris/0000' })))
  const [last] = await db.keys({ prefix: 'city/', reverse: true, limit: 1 }).all()
  say('last key', last.toString())
}

async function snapshot(db) {
  await db.put('tour/moving', 'old')
  const then = db.snapshot()
  await db.put('tour/moving', 'new')
  say('snapshot, then now', `${await then.get('tour/moving')} ${await db.get('tour/moving')}`)
  then.close()
}

async function transactions(db) {
  const number = async (source) => Number((await source.get('tour/counter')) ?? 0)
  const before = await number(db)
  const inside = await db.transaction(async (tx) => {
    await tx.put('tour/counter', String((await number(tx)) + 1))
    return number(tx)
  })
  const after = await number(db)
  say('transaction adds', `${inside - before} ${after - before}`)

  const loser = db.beginTransaction()
  await number(loser)
  await loser.put('tour/counter', 'lost')
  await db.put('tour/counter', String(after))
  say('lost race', await outcome(() => loser.commit()))

  const aborted = db.beginTransaction()
  await aborted.put('tour/counter', 'taken back')
  aborted.abort()
  say('aborted', (await number(db)) - after)
}

async function levels(db) {
  let letters = ''
  for (const consistency of ['strong', 'quorum', 'eventual']) {
    await db.put('tour/level', consistency[0], { consistency })
    letters += await db.get('tour/level')
  }
  await db.batch([
    { type: 'del', key: 'tour/level' },
    { type: 'del', key: 'tour/moving' },
  ])
  say('levels', letters)
  say('deleted', (await db.get('tour/level')) === undefined ? 'none' : 'a value')
}

async function backup(db, work) {
  await db.backup(join(work, 'backup'))
  await Database.restore(join(work, 'backup'), join(work, 'restored'))
  const restored = await Database.open(join(work, 'restored'), { mode: 'rw' })
  say('backup, restored', await summary(restored.entries({ prefix: 'city/' })))
  await restored.close()
}

async function outcome(call) {
  try {
    await call()
  } catch (error) {
    if (!(error instanceof LightningDbError)) throw error
    return `${error.number} ${error.code}`
  }
  return 'no error'
}

async function errors(db, work, locked) {
  say('error: open elsewhere', await outcome(() => Database.open(locked)))
  say('error: no such database', await outcome(() => Database.open(join(work, 'nothing'), { mode: 'rw' })))
  say('error: restore over files', await outcome(() => Database.restore(join(work, 'backup'), join(work, 'backup'))))
  say('error: key too long', await outcome(() => db.put(Buffer.alloc(65_536), '')))
  say('error: not a database', await outcome(() => Database.open(join(work, 'backup', 'CURRENT'))))
  await db.close()
  say('error: closed', await outcome(() => db.get('a')))
}

async function tour(database, work, locked) {
  const db = await Database.open(database, { mode: 'rw' })
  await gets(db)
  await scans(db)
  await snapshot(db)
  await transactions(db)
  await levels(db)
  await backup(db, work)
  await errors(db, work, locked)
}

const [verb, ...paths] = process.argv.slice(2)
await { load, tour }[verb](...paths)
