// Our seeder, JavaScript downloads. NET_CONTROL=1: JavaScript on both sides,
// which tells what the cases themselves are worth. FULL=1: a blob of 1 GiB.
// CASES=a,b: only those.
'use strict'
const { main } = require('./common')
const { JsSide, OurSide } = require('./net-sides')
const { runCases } = require('./net-cases')

main((work) => runCases(process.env.NET_CONTROL ? JsSide : OurSide, JsSide, work))
