/* Finds a QR code in a picture, away from the page. zxing runs in WebAssembly; nothing of a picture is kept. */
"use strict";

(function () {
  let ready;

  self.onmessage = async ({ data: { id, wasm, image } }) => {
    try {
      if (wasm) {
        ready = ZXingWASM.prepareZXingModule({ overrides: { locateFile: (path, prefix) => (path.endsWith(".wasm") ? wasm : prefix + path) }, fireImmediately: true });
        await ready;
        self.postMessage({ id, text: "" });
        return;
      }
      const found = await ZXingWASM.readBarcodes(image, { formats: ["QRCode"], tryHarder: true, maxNumberOfSymbols: 2 });
      const texts = [...new Set(found.filter((one) => one.isValid && one.text).map((one) => one.text))];
      self.postMessage({ id, text: texts.length === 1 ? texts[0] : "", several: texts.length > 1 });
    } catch (error) {
      self.postMessage({ id, error: String(error) });
    }
  };
})();
