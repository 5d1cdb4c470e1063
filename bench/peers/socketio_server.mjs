// Socket.IO on Node, WebSocket alone. `socketio_server.mjs PORT`.
import { createServer } from "node:http";
import { Server } from "socket.io";

const server = createServer((request, response) => {
  if (request.url !== "/publish") return;
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    streams.emit("m", Buffer.concat(pieces).toString());
    response.end("ok");
  });
});
const streams = new Server(server, { transports: ["websocket"], pingInterval: 600_000, perMessageDeflate: false });
server.listen(Number(process.argv[2]), "127.0.0.1", 4096);
