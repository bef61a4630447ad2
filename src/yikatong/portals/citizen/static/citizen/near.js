/* The phone's position, only when asked for by the button: rounded to some hundred metres, sent with the search, kept nowhere. */
const form = document.querySelector("[data-near]");
const button = form && form.querySelector("[data-locate]");
const said = form && form.querySelector("[data-locate-said]");
const tell = (words) => {
  said.hidden = false;
  said.textContent = words;
};
if (button && "geolocation" in navigator && self.isSecureContext) {
  button.hidden = false;
  button.addEventListener("click", () => {
    tell("正在取得位置…");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        let field = form.querySelector("[name=at]");
        if (!field) {
          field = document.createElement("input");
          field.type = "hidden";
          field.name = "at";
          form.append(field);
        }
        field.value = `${coords.latitude.toFixed(3)},${coords.longitude.toFixed(3)}`;
        form.querySelector("[name=near]").value = "";
        form.requestSubmit();
      },
      (error) => tell(error.code === 1 ? "没有得到允许。可以填写街道或区（县）的名称。" : "没有取到位置。可以填写街道或区（县）的名称。"),
      { timeout: 10000, maximumAge: 60000 },
    );
  });
}
