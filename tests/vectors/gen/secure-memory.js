// What has to be loaded before hypercore-sign-lib. Its free() asks
// sodium_mprotect_readwrite for ordinary buffers too and relies on being told
// "not a sodium buffer" (index.js, version 1.1.0). libsodium cannot tell: it
// takes the size of what it opens from the bytes before the buffer, and now
// and then that makes a library of the process writable instead of
// executable, which ends in a segmentation fault at exit. Here such a buffer
// is refused, as free() expects.
'use strict'
const sodium = require('sodium-native')

const readwrite = sodium.sodium_mprotect_readwrite
sodium.sodium_mprotect_readwrite = function (buffer) {
  if (!buffer.secure) throw new Error('not a sodium buffer')
  readwrite(buffer)
}
