// Puts the page on the screen.

import { mount } from "svelte";

import App from "./App.svelte";
import { language } from "./lib/language.svelte";
import { keepPage } from "./services/offline.service";
import "./styles/base.css";
import "./styles/tokens.css";

const place = document.getElementById("page");
if (!place) throw new Error("The document has no place for the page.");
await language.begin();
mount(App, { target: place });
if (import.meta.env.PROD) void keepPage();
