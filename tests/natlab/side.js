// side.js: a program on one host of a lab, ours or the original's, that is told
// in lines what to do: nat_peer.c, js_peer.js. A line in, its words out.
'use strict'
const fs = require('fs')
const path = require('path')
const readline = require('readline')
const labs = require('./lab')

module.exports = class Side {
  constructor (lab, side, who, work) {
    const bootstrap = labs.BOOTSTRAP.join(',')
    const [program, ...args] = who === 'ours'
      ? [path.join(lab.build, 'tools', 'nat_peer'), fs.mkdtempSync(path.join(work, 'side-')), bootstrap]
      : [process.execPath, path.join(__dirname, 'js_peer.js'), bootstrap]
    this.process = lab.run(side, program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.process.stdin.on('error', () => {})
    this.lines = readline.createInterface({ input: this.process.stdout })[Symbol.asyncIterator]()
  }

  async ask (line) {
    this.process.stdin.write(line + '\n')
    const { value, done } = await this.lines.next()
    if (done) throw new Error('the program ended')
    return value.split(' ')
  }

  close () {
    this.process.stdin.end()
    this.process.kill()
  }
}
