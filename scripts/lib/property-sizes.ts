import fc from 'fast-check';

/** `maxLength` and `maxDepth` mean what they say: without this, fast-check seldom goes over about ten items, whatever a test names. */
fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });
