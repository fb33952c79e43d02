// vitest asks for a hundred frames of each error, and properties make errors by the hundred thousand: a tenth of that shows where a test failed.
Error.stackTraceLimit = 12;
