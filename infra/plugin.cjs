/** The framework loads plugins in CommonJS; the plugin is in plugin/. */
module.exports = require('./plugin/plugin.ts').default;
