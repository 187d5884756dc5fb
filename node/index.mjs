// The same module for `import`: one set of classes, however it is loaded.
import lightning from './lib/index.js';

export const { Database, Keyspace, LightningDbError, version } = lightning;
export default lightning;
