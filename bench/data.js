// data.js KIND DIR [BINARY]: the folders the benchmarks stage. The same bytes
// each time; nothing is made if DIR is complete already.
//	a  BINARY (about 100 MB) and 2,000 small files
//	b  20,000 small files in 200 folders
//	c  one file of 4 GiB: 64 KiB of data in each 8 MiB, holes between
//	d  1,000,000 tiny files in 1,000 folders
//	e  16 files of 64 MiB that nothing can compress
//	f  100,000 tiny files in 500 folders
'use strict'
const fs = require('fs')
const path = require('path')

const [kind, dir, binary] = process.argv.slice(2)
const stamp = dir + '.complete'
if (fs.existsSync(stamp)) process.exit()
fs.rmSync(dir, { recursive: true, force: true })
fs.mkdirSync(dir, { recursive: true })

let x = 88172645
function next () {
  x ^= (x << 13) >>> 0
  x >>>= 0
  x ^= x >>> 17
  x ^= (x << 5) >>> 0
  return (x = x >>> 0)
}

// Text-like: words of a small vocabulary with numbers between.
const words = []
for (let i = 0; i < 500; i++) words.push(next().toString(36).slice(0, 2 + i % 7))
function text (size) {
  let s = ''
  while (s.length < size) s += words[next() % 500] + (next() % 11 ? ' ' : '\n' + next() + ' ')
  return s.slice(0, size)
}

function small (count, folders, max) {
  for (let i = 0; i < count; i++) {
    const folder = path.join(dir, 'd' + i % folders)
    if (i < folders) fs.mkdirSync(folder, { recursive: true })
    fs.writeFileSync(path.join(folder, 'f' + i + '.txt'), text(1 + next() % max))
  }
}

fs.writeFileSync(path.join(dir, 'package.json'), '{"name":"bench-' + kind + '","version":"1.0.0"}\n')
if (kind === 'a') {
  fs.copyFileSync(binary, path.join(dir, 'node'))
  small(2000, 50, 16000)
} else if (kind === 'b') {
  small(20000, 200, 4000)
} else if (kind === 'c') {
  const fd = fs.openSync(path.join(dir, 'big'), 'w')
  const b = Buffer.alloc(65536)
  fs.ftruncateSync(fd, 4 * 2 ** 30)
  for (let at = 0; at < 4 * 2 ** 30; at += 8 << 20) {
    for (let i = 0; i < b.length; i += 4) b.writeUInt32LE(next(), i)
    fs.writeSync(fd, b, 0, b.length, at)
  }
  fs.closeSync(fd)
} else if (kind === 'd') {
  small(1000000, 1000, 40)
} else if (kind === 'e') {
  const b = Buffer.alloc(64 << 20)
  for (let n = 0; n < 16; n++) {
    for (let i = 0; i < b.length; i += 4) b.writeUInt32LE(next(), i)
    fs.writeFileSync(path.join(dir, 'f' + n), b)
  }
} else if (kind === 'f') {
  small(100000, 500, 40)
} else throw new Error('no data set ' + kind)
fs.writeFileSync(stamp, '')
