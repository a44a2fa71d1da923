package io.sanavideo.runtime.vendor;

/**
 * Who does a {@link Problem}, in a line of text: {@code own}, or the library, its algorithm in the
 * library's own words, and the bytes of scratch memory that this takes.
 *
 * @param library null for the own kernel
 * @param algorithm in the library's words, without spaces
 * @param workspace bytes
 */
record Choice(LibraryName library, String algorithm, long workspace) {
    static final Choice OWN = new Choice(null, "", 0);

    /**
     * @throws IllegalArgumentException when the text is not that of a choice
     */
    static Choice parse(String text) {
        if (text.equals("own")) {
            return OWN;
        }
        String[] words = text.split(" ");
        try {
            return new Choice(LibraryName.parse(words[0]), words[1], Long.parseLong(words[2]));
        } catch (RuntimeException e) {
            throw new IllegalArgumentException(
                    "'%s' is no choice of a kernel, expected 'own' or a library, its algorithm and its workspace"
                            .formatted(text),
                    e);
        }
    }

    boolean isOwn() {
        return library == null;
    }

    @Override
    public String toString() {
        return isOwn() ? "own" : library.label() + " " + algorithm + " " + workspace;
    }
}
