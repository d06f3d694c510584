// A bridge in the namespace of this process, and places: namespaces of their
// own, each with one line to the bridge, that can be cut, lose packets and
// change its address. The nodes of the DHT live at the bridge.
//
// The addresses look public, because peers treat private ones as neighbours.
'use strict'
const { spawn, spawnSync } = require('child_process')
const fs = require('fs')

function sh (program, ...args) {
  const p = spawnSync(program, args, { encoding: 'utf8' })
  if (p.error) throw p.error
  if (p.status !== 0) throw new Error([program, ...args].join(' ') + ': ' + p.stderr)
}

const RULES = 'add table inet bad; add chain inet bad in { type filter hook prerouting priority -300; }'

exports.open = function (nodes) {
  sh('ip', 'link', 'set', 'lo', 'up')
  sh('ip', 'link', 'add', 'hub', 'type', 'bridge')
  // else it has the least of its lines' addresses, and changes it with them
  sh('ip', 'link', 'set', 'hub', 'address', '02:00:00:00:00:01', 'up')
  for (let i = 1; i <= nodes; i++) sh('ip', 'addr', 'add', exports.node(i) + '/16', 'dev', 'hub')
}

exports.node = (i) => '11.0.0.' + i

let count = 0
let addresses = 0

// An address that nobody had for a long time.
function fresh () {
  const n = addresses++ % (250 * 250)
  return '11.0.' + (1 + Math.floor(n / 250)) + '.' + (1 + n % 250)
}

exports.Place = class Place {
  async open () {
    this.line = 'p' + count++
    this.holder = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' })
    const net = () => fs.readlinkSync('/proc/' + this.holder.pid + '/ns/net')
    const ours = fs.readlinkSync('/proc/self/ns/net')
    while (net() === ours) await new Promise((resolve) => setTimeout(resolve, 10))
    sh('ip', 'link', 'add', this.line, 'type', 'veth', 'peer', 'name', 'e0', 'netns', String(this.holder.pid))
    sh('ip', 'link', 'set', this.line, 'master', 'hub', 'up')
    this.inside('ip', 'link', 'set', 'lo', 'up')
    this.inside('ip', 'link', 'set', 'e0', 'up')
    this.inside('nft', RULES)
    this.address = fresh()
    this.inside('ip', 'addr', 'add', this.address + '/16', 'dev', 'e0')
    this.up = true
    this.loss = 0
  }

  // nsenter becomes the command: its pid is the command's
  enter (program, args) {
    return ['nsenter', ['-t', String(this.holder.pid), '-n', program, ...args]]
  }

  inside (program, ...args) {
    sh(...this.enter(program, args).flat())
  }

  // Another address, the old one gone: a laptop that changes its network.
  move () {
    const old = this.address
    this.address = fresh()
    this.inside('ip', 'addr', 'del', old + '/16', 'dev', 'e0')
    this.inside('ip', 'addr', 'add', this.address + '/16', 'dev', 'e0')
  }

  // More addresses beside the one it has.
  more (n) {
    const list = Array.from({ length: n }, fresh)
    for (const a of list) this.inside('ip', 'addr', 'add', a + '/16', 'dev', 'e0')
    return list
  }

  // The peer still sees its line: nothing tells it that nobody is there.
  cut (off) {
    sh('ip', 'link', 'set', this.line, ...(off ? ['nomaster'] : ['master', 'hub']))
    this.up = !off
  }

  // Of a thousand packets that come in, so many are lost.
  lose (permille) {
    this.inside('nft', 'flush chain inet bad in')
    if (permille) {
      this.inside('nft', 'add rule inet bad in meta l4proto udp numgen random mod 1000 < ' + permille + ' drop')
    }
    this.loss = permille
  }
}
