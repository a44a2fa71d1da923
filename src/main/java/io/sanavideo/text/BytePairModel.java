package io.sanavideo.text;

import com.fasterxml.jackson.databind.JsonNode;
import io.sanavideo.ModelFormatException;
import io.sanavideo.weights.Json;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.stream.IntStream;

/**
 * Byte-pair encoding (Sennrich et al., arXiv:1508.07909): a piece of text starts as its characters,
 * and the pair of neighbours whose merge ranks first is joined, leftmost first, until no merge
 * applies. A character outside the vocabulary becomes its UTF-8 bytes, or the unknown token.
 */
final class BytePairModel {
    private static final int ABSENT = -1;

    private final Map<String, Integer> vocabulary;
    private final int[] byteIds = new int[256];
    private final boolean byteFallback;
    private final int unknownId;
    private final boolean fuseUnknown;
    private final boolean wholePieces;
    private final PairTable merges;

    /** Token that the merge of each rank makes. */
    private final int[] mergedIds;

    /**
     * @param model the {@code model} object of a tokenizer file
     */
    BytePairModel(Json model) {
        if (!model.requiredText("type").equals("BPE")) {
            throw model.unexpected("type", "\"BPE\", the only supported kind");
        }
        for (String affix : new String[] {"continuing_subword_prefix", "end_of_word_suffix"}) {
            if (!model.optionalText(affix, "").isEmpty()) {
                throw model.unexpected(affix, "null, the only supported value");
            }
        }
        if (model.optionalDouble("dropout", 0) != 0) {
            throw model.unexpected("dropout", "null: the ids of a text would differ by chance");
        }
        vocabulary = vocabulary(model.requiredObject("vocab"));
        byteFallback = model.optionalBoolean("byte_fallback", false);
        HexFormat hex = HexFormat.of().withUpperCase();
        for (int i = 0; i < byteIds.length; i++) {
            byteIds[i] = vocabulary.getOrDefault("<0x" + hex.toHexDigits((byte) i) + ">", ABSENT);
        }
        fuseUnknown = model.optionalBoolean("fuse_unk", false);
        wholePieces = model.optionalBoolean("ignore_merges", false);
        unknownId =
                model.has("unk_token")
                        ? vocabulary.getOrDefault(model.requiredText("unk_token"), ABSENT)
                        : ABSENT;
        if (model.has("unk_token") && unknownId == ABSENT) {
            throw model.unexpected("unk_token", "a token of the vocabulary");
        }
        List<JsonNode> listed = model.requiredElements("merges");
        merges = new PairTable(listed.size());
        mergedIds = new int[listed.size()];
        readMerges(listed, model.source());
    }

    private static Map<String, Integer> vocabulary(Json object) {
        Map<String, Integer> vocabulary = new HashMap<>();
        for (String token : object.keys()) {
            vocabulary.put(token, object.requiredInt(token, 0));
        }
        return vocabulary;
    }

    private void readMerges(List<JsonNode> listed, String source) {
        int rank = 0;
        for (JsonNode merge : listed) {
            if (merge.isTextual() && merge.textValue().startsWith("#version")) {
                continue;
            }
            List<String> pair = pair(merge);
            if (pair.size() != 2) {
                throw new ModelFormatException(
                        "%s: merge %d is %s, expected two tokens".formatted(source, rank, merge));
            }
            String merged = pair.get(0) + pair.get(1);
            for (String token : List.of(pair.get(0), pair.get(1), merged)) {
                if (!vocabulary.containsKey(token)) {
                    throw new ModelFormatException(
                            "%s: merge %d of '%s' and '%s': '%s' is not in the vocabulary"
                                    .formatted(source, rank, pair.get(0), pair.get(1), token));
                }
            }
            merges.put(vocabulary.get(pair.get(0)), vocabulary.get(pair.get(1)), rank);
            mergedIds[rank++] = vocabulary.get(merged);
        }
    }

    /** A merge is {@code ["a", "b"]}, or {@code "a b"} in older files. */
    private static List<String> pair(JsonNode merge) {
        if (merge.isTextual()) {
            return List.of(merge.textValue().split(" ", -1));
        }
        boolean texts = merge.size() == 2 && merge.path(0).isTextual() && merge.path(1).isTextual();
        return texts ? List.of(merge.get(0).textValue(), merge.get(1).textValue()) : List.of();
    }

    /** Number of tokens. */
    int size() {
        return vocabulary.size();
    }

    /** The largest id; -1 where there is no token. */
    int largestId() {
        return vocabulary.values().stream().mapToInt(id -> id).max().orElse(ABSENT);
    }

    /** The id of a token, or null. */
    Integer id(String token) {
        return vocabulary.get(token);
    }

    /** Appends the ids of a piece of text to {@code into}. */
    void encode(String piece, IntStream.Builder into) {
        Integer whole = wholePieces ? vocabulary.get(piece) : null;
        if (whole != null) {
            into.add(whole);
            return;
        }
        int[] ids = characters(piece);
        int kept = merge(ids);
        for (int i = 0; i < kept; i++) {
            into.add(ids[i]);
        }
    }

    /** One id a known character; several, one or none for an unknown one. */
    private int[] characters(String piece) {
        IntStream.Builder ids = IntStream.builder();
        boolean pendingUnknown = false;
        int next;
        for (int at = 0; at < piece.length(); at = next) {
            next = piece.offsetByCodePoints(at, 1);
            String character = piece.substring(at, next);
            Integer id = vocabulary.get(character);
            if (id != null) {
                if (pendingUnknown) {
                    ids.add(unknownId);
                    pendingUnknown = false;
                }
                ids.add(id);
                continue;
            }
            int[] bytes = byteFallback ? bytes(character) : new int[0];
            if (bytes.length > 0) {
                // A pending unknown token stays pending, behind the bytes: so does the reference.
                Arrays.stream(bytes).forEach(ids::add);
            } else if (unknownId != ABSENT) {
                if (pendingUnknown && !fuseUnknown) {
                    ids.add(unknownId);
                }
                pendingUnknown = true;
            }
        }
        if (pendingUnknown) {
            ids.add(unknownId);
        }
        return ids.build().toArray();
    }

    /** The byte tokens of a character; empty when the vocabulary lacks one of them. */
    private int[] bytes(String character) {
        byte[] utf8 = character.getBytes(StandardCharsets.UTF_8);
        int[] ids = new int[utf8.length];
        for (int i = 0; i < utf8.length; i++) {
            ids[i] = byteIds[utf8[i] & 0xFF];
            if (ids[i] == ABSENT) {
                return new int[0];
            }
        }
        return ids;
    }

    /** Merges in place and returns how many ids are left. */
    private int merge(int[] ids) {
        int[] next = new int[ids.length];
        int[] previous = new int[ids.length];
        // A candidate is rank << 32 | position: the queue yields the first rank, there the
        // leftmost.
        PriorityQueue<Long> candidates = new PriorityQueue<>();
        for (int i = 0; i < ids.length; i++) {
            next[i] = i + 1;
            previous[i] = i - 1;
            if (next[i] < ids.length) {
                propose(candidates, ids, i, next[i]);
            }
        }
        while (!candidates.isEmpty()) {
            long candidate = candidates.remove();
            int left = (int) candidate;
            int merged = mergedIds[(int) (candidate >>> 32)];
            if (ids[left] == ABSENT || next[left] == ids.length) {
                continue;
            }
            int right = next[left];
            int rank = merges.rank(ids[left], ids[right]);
            if (rank == ABSENT || mergedIds[rank] != merged) {
                continue;
            }
            ids[left] = merged;
            ids[right] = ABSENT;
            next[left] = next[right];
            if (next[left] < ids.length) {
                previous[next[left]] = left;
                propose(candidates, ids, left, next[left]);
            }
            if (previous[left] >= 0) {
                propose(candidates, ids, previous[left], left);
            }
        }
        int kept = 0;
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] != ABSENT) {
                ids[kept++] = ids[i];
            }
        }
        return kept;
    }

    private void propose(PriorityQueue<Long> candidates, int[] ids, int left, int right) {
        int rank = merges.rank(ids[left], ids[right]);
        if (rank != ABSENT) {
            candidates.add((long) rank << 32 | left);
        }
    }

    /**
     * Ranks of merges by the pair of ids: a hash table with linear probing, for speed of loading.
     */
    private static final class PairTable {
        private final long[] pairs;
        private final int[] ranks;

        PairTable(int count) {
            int capacity = Integer.highestOneBit(Math.max(1, count)) * 4;
            pairs = new long[capacity];
            ranks = new int[capacity];
            Arrays.fill(ranks, ABSENT);
        }

        /** A pair that comes again has its last rank. */
        void put(int left, int right, int rank) {
            long pair = pair(left, right);
            int slot = slot(pair);
            pairs[slot] = pair;
            ranks[slot] = rank;
        }

        int rank(int left, int right) {
            return ranks[slot(pair(left, right))];
        }

        private int slot(long pair) {
            int slot = (int) (pair * 0x9E3779B97F4A7C15L >>> 32) & (pairs.length - 1);
            while (ranks[slot] != ABSENT && pairs[slot] != pair) {
                slot = (slot + 1) & (pairs.length - 1);
            }
            return slot;
        }

        private static long pair(int left, int right) {
            return (long) left << 32 | right;
        }
    }
}
