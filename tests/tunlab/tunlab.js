// tunlab.js: two network namespaces with a bad line between them, for node
// programs; what the line does is told in tunlab.c.
//
//	const lab = await open(tool, { seed: 1, loss: 100, delay: 20 })
//	lab.spawn('a', 'node', [...], options)	// 10.9.0.1; 'b' has 10.9.0.2
//	await lab.close()			// how many packets came
//
// null where it cannot be had (no root).
'use strict'
const { spawn } = require('child_process')
const { once } = require('events')

const FLAGS = { seed: '-s', loss: '-l', delay: '-d', jitter: '-j', dup: '-u', rate: '-r' }
exports.ADDRESS = { a: '10.9.0.1', b: '10.9.0.2' }

exports.open = async function (tool, line) {
  const args = []
  for (const [k, v] of Object.entries(line)) args.push(FLAGS[k], String(v))
  const p = spawn(tool, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  p.stderr.on('data', (d) => { said += d })
  const ended = once(p, 'close')
  const first = await Promise.race([once(p.stdout, 'data'), ended])
  const pids = String(first[0]).match(/^(\d+) (\d+)\n$/)
  if (!pids) {
    const [status] = await ended
    if (status === 77) return null
    throw new Error('tunlab ended with ' + status + ': ' + said)
  }
  const pid = { a: pids[1], b: pids[2] }
  return {
    // nsenter becomes the command: its pid is the command's
    enter: (side, program, args) => ['nsenter', ['-t', pid[side], '-n', program, ...args]],
    spawn (side, program, args, options) {
      return spawn(...this.enter(side, program, args), options)
    },
    async close () {
      p.stdin.end()
      const [status] = await ended
      if (status !== 0) throw new Error('tunlab ended with ' + status + ': ' + said)
      return said.match(/\d+/g).map(Number)
    }
  }
}
