import * as lightning from './types/index.js';

export * from './types/index.js';
export default lightning;
