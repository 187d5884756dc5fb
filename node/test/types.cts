// As types.ts, through `require`.

import lightning = require('lightning-db');

export async function calls(): Promise<Buffer | undefined> {
  const db: lightning.Database = await lightning.Database.open('x');
  return db.get('k');
}
