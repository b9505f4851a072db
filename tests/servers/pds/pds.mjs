// The official Bluesky PDS with a did:plc directory in memory, both on 127.0.0.1.
//
//   node pds.mjs [--port N] [--public-url URL] [--no-did-doc] [--blob-limit BYTES]
//
// Prints one JSON line when it answers: {"url", "jwt_secret", "version"}. Ends on SIGTERM, SIGINT
// or the end of its standard input, so that it never outlives the tests that started it, and then
// removes what it stored. There is no AppView: repositories, sessions and blobs are real, feeds and
// profiles are not there.
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    // what DID documents name as the accounts' PDS; a proxy in front of it, say
    'public-url': { type: 'string' },
    // leave didDoc out of the answers to createSession and refreshSession
    'no-did-doc': { type: 'boolean', default: false },
    // the official installer sets 50 MiB; the code's own default is a tenth
    'blob-limit': { type: 'string', default: String(50 * 1024 * 1024) },
  },
})

// The servers call listen(port), which would bind every interface.
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (port, ...rest) {
  const everywhere = Number.isInteger(port) && typeof rest[0] !== 'string'
  return everywhere ? listen.call(this, port, '127.0.0.1', ...rest) : listen.call(this, port, ...rest)
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

// The PDS warns of harmless negative time-outs, and logs to stdout unless told before its import.
process.removeAllListeners('warning')
process.env.LOG_ENABLED = 'false'
const { PDS, envToCfg, envToSecrets } = await import('@atproto/pds')
const plc = (await import('@did-plc/server')).default

const folder = mkdtempSync(join(tmpdir(), 'tribridge-pds-'))
const running = []
let ending = false

async function end(code) {
  if (ending) return
  ending = true
  const finish = () => {
    rmSync(folder, { recursive: true, force: true })
    process.exit(code)
  }
  setTimeout(finish, 3000)
  for (const server of running.reverse()) await server.destroy().catch(() => {})
  finish()
}

process.on('SIGTERM', () => end(0))
process.on('SIGINT', () => end(0))
process.stdin.on('end', () => end(0)).on('error', () => end(0)).resume()

try {
  const plcPort = await freePort()
  const directory = plc.PlcServer.create({ db: plc.Database.mock(), port: plcPort })
  await directory.start()
  running.push(directory)

  const port = Number(options.port) || (await freePort())
  const url = `http://127.0.0.1:${port}`
  const jwtSecret = randomBytes(16).toString('hex')
  const settings = {
    devMode: true,
    hostname: 'localhost',
    port,
    dataDirectory: join(folder, 'data'),
    blobstoreDiskLocation: join(folder, 'blobs'),
    blobUploadLimit: Number(options['blob-limit']),
    adminPassword: randomBytes(16).toString('hex'),
    jwtSecret,
    plcRotationKeyK256PrivateKeyHex: randomBytes(32).toString('hex'),
    // by name, since the PDS refuses to fetch from a URL whose host is an IP address
    didPlcUrl: `http://localhost:${plcPort}`,
    serviceHandleDomains: ['.test'],
    inviteRequired: false,
    disableSsrfProtection: true,
    enableDidDocWithSession: !options['no-did-doc'],
  }
  mkdirSync(settings.dataDirectory)
  const config = envToCfg(settings)
  config.service.publicUrl = options['public-url'] ?? url
  const pds = await PDS.create(config, envToSecrets(settings))

  // Names under .test are in no DNS; the PDS itself knows who they are.
  pds.ctx.idResolver.handle.resolve = (handle) =>
    new Promise((resolve) => {
      http
        .get(`${url}/.well-known/atproto-did`, { headers: { host: handle } }, async (answer) => {
          let did = ''
          for await (const chunk of answer) did += chunk
          resolve(answer.statusCode === 200 ? did.trim() : undefined)
        })
        .on('error', () => resolve(undefined))
    })

  await pds.start()
  running.push(pds)
  const { version } = await (await fetch(`${url}/xrpc/_health`)).json()
  console.log(JSON.stringify({ url, jwt_secret: jwtSecret, version }))
} catch (error) {
  console.error(error)
  await end(1)
}
