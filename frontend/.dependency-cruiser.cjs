// Who may import whom in the page. Imports point down only:
//
//   main, App -> pages -> components -> stores -> services -> realtime
//
// `lib` (words, numbers, windowing, addresses) stands beside them and knows none of them. Types may be read from
// further down than code, since they weigh nothing and start nothing.

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      comment: "Two files that need each other are one idea, or three.",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "client-stands-alone",
      comment: "The realtime client is published on its own.",
      severity: "error",
      from: { path: "^src/realtime/" },
      to: { pathNot: "^src/realtime/" },
    },
    {
      name: "services-use-the-client",
      comment: "Beside it they know what a refusal of the API is, as whoever shows one does.",
      severity: "error",
      from: { path: "^src/services/" },
      to: { path: "^src/", pathNot: "^src/((services|realtime)/|lib/refusal\\.ts$)" },
    },
    {
      name: "stores-use-services",
      severity: "error",
      from: { path: "^src/stores/" },
      to: { path: "^src/", pathNot: "^src/(stores|services|realtime)/" },
    },
    {
      name: "components-use-stores",
      severity: "error",
      from: { path: "^src/components/" },
      to: { path: "^src/", pathNot: "^src/(components|stores|lib)/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "components-know-no-page",
      severity: "error",
      from: { path: "^src/components/" },
      to: { path: "^src/(pages/|App\\.svelte|main\\.ts)" },
    },
    {
      name: "pages-use-components-and-stores",
      severity: "error",
      from: { path: "^src/pages/" },
      to: {
        path: "^src/",
        pathNot: "^src/(pages|components|stores|lib)/",
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "lib-stands-beside",
      severity: "error",
      from: { path: "^src/lib/" },
      to: { path: "^src/", pathNot: "^src/lib/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "nothing-unresolved",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "no-packages-of-the-workshop",
      comment: "What ships may not need what only tests and builds need.",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["svelte", "browser", "import", "types", "default"],
      mainFields: ["svelte", "module", "main", "types"],
    },
  },
};
