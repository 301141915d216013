// Node-RED's settings for the comparison: no editor, no telemetry, nothing but the flow.

// Neither Node-RED's MQTT nodes nor the broker node's dialog know TCP_NODELAY. Without it each lamp waits for the broker
// to acknowledge the packet before (12 ms instead of 3.5 at the median, 100 presses a second). It is given to Node-RED
// here, because a socket option is not what is compared; the peer "nodered-shipped" goes without it.
if (process.env.PEER_NODELAY === "1") {
    const { Socket } = require("net");
    const { connect } = Socket.prototype;
    Socket.prototype.connect = function (...where) {
        this.setNoDelay(true);
        return connect.apply(this, where);
    };
}

module.exports = {
    flowFile: "flow.json",
    credentialSecret: false,
    uiHost: "127.0.0.1",
    uiPort: Number(process.env.PEER_HTTP_PORT),
    disableEditor: true,
    httpAdminRoot: false,
    telemetry: { enabled: false, updateNotification: false },
    runtimeState: { enabled: false, ui: false },
    logging: { console: { level: "info", metrics: false, audit: false } },
};
