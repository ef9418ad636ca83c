// The collector's check in mongosh: each document's sum and derivation, and the intervals of each stream. XXH3 is hash-wasm's.
// Prints: seconds, intact documents. Environment: BENCH_URI, BENCH_NS, BENCH_LIMIT, BENCH_MODULES (a folder node_modules).
const modules = process.env.BENCH_MODULES;
const hashes = require(modules + '/hash-wasm');
const bson = require(modules + '/bson');
const fields = '_id createdAt randomdata run writer seq sum';
const ns = process.env.BENCH_NS;

class Stream {
  constructor(run, writer, wide) {
    this.key = Buffer.alloc(20 + ns.length + 8);
    run.copy(this.key);
    this.key.writeInt32LE(writer, 16);
    this.key.write(ns, 20);
    this.prefix = Buffer.from(wide.init().update(this.key.subarray(0, this.key.length - 8)).digest('binary')).toString('hex').slice(0, 12);
    this.ranges = [];
  }

  isOwn(doc, seq, wide) {
    if (doc._id.toHexString() !== this.prefix + seq.toString(16).padStart(12, '0')) return false;
    this.key.writeBigInt64LE(BigInt(seq), this.key.length - 8);
    return doc.randomdata === wide.init().update(this.key).digest('hex');
  }

  add(seq) {
    const last = this.ranges[this.ranges.length - 1];
    if (last && last[1] + 1 === seq) last[1] = seq;
    else this.ranges.push([seq, seq]);
  }

  twice() {
    this.ranges.sort((a, b) => a[0] - b[0]);
    return this.ranges.reduce((n, r, i) => n + (i ? Math.max(0, this.ranges[i - 1][1] - r[0] + 1) : 0), 0);
  }
}

function check(doc, streams, wide, narrow) {
  const name = doc.run.buffer.toString('hex') + doc.writer;
  let stream = streams.get(name);
  if (!stream) streams.set(name, stream = new Stream(Buffer.from(doc.run.buffer), doc.writer, wide));
  const seq = Number(doc.seq);
  if (Object.keys(doc).join(' ') !== fields || !stream.isOwn(doc, seq, wide)) return 0;
  const bytes = bson.serialize(doc);
  const sum = Buffer.from(narrow.init().update(bytes.subarray(0, bytes.length - 14)).digest('binary')).readBigUInt64BE();
  if (sum !== Buffer.from(bytes).readBigUInt64LE(bytes.length - 9)) return 0;
  stream.add(seq);
  return 1;
}

// a module of its own: mongosh would make every call in a script of its own asynchronous
module.exports = async function run(collection, limit) {
  const wide = await hashes.createXXHash128(), narrow = await hashes.createXXHash3();
  const streams = new Map();
  let intact = 0;
  const began = process.hrtime.bigint();
  const cursor = await (await (await collection.find()).batchSize(10000)).limit(limit);
  await cursor.forEach((doc) => { intact += check(doc, streams, wide, narrow); });
  for (const stream of streams.values()) intact -= stream.twice();
  return `${(Number(process.hrtime.bigint() - began) / 1e9).toFixed(4)} ${intact}`;
};
