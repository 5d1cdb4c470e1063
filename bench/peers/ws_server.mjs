// ws on Node. `ws_server.mjs PORT`.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const streams = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const server = createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const body = Buffer.concat(pieces);
    for (const reader of streams.clients) reader.send(body, { binary: false });
    response.end("ok");
  });
});
server.on("upgrade", (request, socket, head) => {
  streams.handleUpgrade(request, socket, head, (reader) => reader.on("error", () => reader.terminate()));
});
server.listen(Number(process.argv[2]), "127.0.0.1", 4096);
