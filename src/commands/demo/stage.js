"use strict";
// Carries out what is pressed, and says so.
const said = document.getElementById("said");
document.querySelector(".homes").addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const home = button.closest(".home");
  home.classList.add("calling");
  setTimeout(() => home.classList.remove("calling"), 4000);
  const what = button.dataset.what;
  const answer = await fetch(`/order/${encodeURIComponent(home.dataset.home)}/${what}`, { method: "POST" });
  said.textContent = answer.ok ? `${home.dataset.home}: ${button.textContent} ✓` : `${home.dataset.home}: ${answer.status}`;
});
