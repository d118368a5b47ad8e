"use strict";
const SAMPLE_RATE = 48000;
const show = (id, text) => { document.getElementById(id).textContent = text };

// The clock: samples since 1970, which the server puts into a header.
let clock = null; // { samples, at: performance.now() when they were true }

async function askClock() {
  const sent = performance.now();
  const resp = await fetch("api", { cache: "no-store" });
  const trip = performance.now() - sent;
  if (!resp.ok) throw new Error(`clock: status ${resp.status}`);
  const { server_clock } = JSON.parse(resp.headers.get("X-Audio-Metadata"));
  clock = { samples: server_clock, at: sent + trip / 2 };
  show("trip", `${trip.toFixed(trip < 10 ? 1 : 0)} ms`);
}

async function askStatus() {
  const resp = await fetch("api?action=status", { method: "POST", cache: "no-store" });
  if (!resp.ok) throw new Error(`status ${resp.status}`);
  const { n_connected_users: people, max_users: room, instance_name: name } = await resp.json();
  show("people", people);
  show("room", room ? `room for ${room}` : "");
  if (name) { show("name", name); document.title = name }
}

async function ask() {
  const state = document.getElementById("state");
  try {
    await Promise.all([askStatus(), askClock()]);
    state.className = "up";
    state.textContent = "The brigade is up.";
  } catch (err) {
    clock = null;
    state.className = "away";
    state.textContent = `The server does not answer (${err.message}); asking again.`;
    for (const id of ["people", "time", "trip"]) show(id, "–");
    for (const id of ["room", "samples"]) show(id, "\u00a0");
  }
  setTimeout(ask, document.hidden ? 15000 : 2000);
}

function tick() {
  if (clock) {
    const samples = clock.samples + Math.round((performance.now() - clock.at) * SAMPLE_RATE / 1000);
    show("time", new Date(samples / SAMPLE_RATE * 1000).toLocaleTimeString());
    show("samples", `sample ${samples.toLocaleString()}`);
  }
}

// Six buckets, the sound further along in each.
const drawn = [];
for (let i = 0; i < 6; i++) {
  const x = 12 + i * 99;
  drawn.push(`<path d="M${x} 30h70l-9 46h-52z"/><path d="M${x + 3} 30c6-24 58-24 64 0"/>`);
  drawn.push(`<text x="${x + 35}" y="60" text-anchor="middle" fill="var(--text)" stroke="none" font-size="15">${i ? `+${3 * i} s` : "leader"}</text>`);
}
document.getElementById("chain").innerHTML = drawn.join("");

ask();
setInterval(tick, 250);
