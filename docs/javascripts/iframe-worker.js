// Search without a server: a page opened from the disk may start no worker, so its script runs in a hidden frame instead.
// The theme looks for a class of this name, and for the script's address in the frame.
if (location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(script) {
      super();
      this.onmessage = null;
      this.waiting = [];
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.srcdoc = `<script>
        self.postMessage = (message) => parent.postMessage(message, "*");
        self.importScripts = (...addresses) => addresses.reduce((before, address) => before.then(() => new Promise((done) => {
          const tag = document.createElement("script");
          Object.assign(tag, { src: address, onload: done });
          document.head.append(tag);
        })), Promise.resolve());
      <\/script><script src="${new URL(script, location.href)}"><\/script>`;
      this.frame.onload = () => {
        this.waiting.forEach((message) => this.deliver(message));
        this.waiting = null;
      };
      window.addEventListener("message", (event) => {
        if (event.source !== this.frame.contentWindow) return;
        const copy = new MessageEvent("message", { data: event.data });
        this.dispatchEvent(copy);
        this.onmessage?.(copy);
      });
      document.body.append(this.frame);
    }
    postMessage(message) {
      if (this.waiting) this.waiting.push(message);
      else this.deliver(message);
    }
    deliver(data) { this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })); }
    terminate() { this.frame.remove(); }
  };
  window.Worker = window.IFrameWorker;
}
