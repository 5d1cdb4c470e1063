// What every test of the page starts with: matchers that speak of the document.
import "@testing-library/jest-dom/vitest";
