package io.sanavideo.doctor;

import io.sanavideo.DeviceException;
import io.sanavideo.NumericsException;
import io.sanavideo.doctor.Finding.Measure;
import io.sanavideo.doctor.Finding.Verdict;
import io.sanavideo.runtime.Context;
import java.util.ArrayList;
import java.util.List;

/** Runs trials on a reference and twice on the device in question, and compares. */
final class Judge {
    private final Context reference;
    private final Context examined;
    private final long seed;

    Judge(Context reference, Context examined, long seed) {
        this.reference = reference;
        this.examined = examined;
        this.seed = seed;
    }

    /**
     * @throws DeviceException when the device does not answer any more
     */
    Finding judge(Trial trial) {
        long own = seed + 31L * trial.name().hashCode();
        Seen expected = run(trial, reference, own);
        Seen actual;
        Seen again;
        try {
            actual = run(trial, examined, own);
            again = run(trial, examined, own);
            examined.synchronize();
        } catch (DeviceException | IllegalArgumentException | NumericsException e) {
            examined.synchronize();
            return new Finding(
                    trial.op(), trial.name(), Verdict.REFUSED, null, 0, 0, e.getMessage());
        }
        return compare(trial, expected, actual, again);
    }

    private record Seen(List<Output> outputs, List<String> faults, List<String> notes) {}

    private static Seen run(Trial trial, Context context, long seed) {
        try (Pass pass = new Pass(context, seed)) {
            trial.body().run(pass);
            pass.finish();
            return new Seen(pass.outputs(), pass.faults(), pass.notes());
        }
    }

    private static Finding compare(Trial trial, Seen expected, Seen actual, Seen again) {
        List<String> wrong = new ArrayList<>(actual.faults);
        expected.faults.forEach(fault -> wrong.add("the CPU: " + fault));
        Finding worst = null;
        double most = -1;
        for (int i = 0; i < actual.outputs.size(); i++) {
            Output mine = actual.outputs.get(i);
            if (mine.differing(again.outputs.get(i)) > 0) {
                wrong.add(mine.name() + " is not the same when it runs again");
            }
            Finding one = compare(trial, mine, expected.outputs.get(i));
            double share = one.bound() > 0 ? one.error() / one.bound() : one.error() * 1e9;
            // A NaN is worse than any number.
            if (!(share <= most)) {
                most = Double.isNaN(share) ? Double.POSITIVE_INFINITY : share;
                worst = one;
            }
        }
        if (worst == null) {
            wrong.add("the trial compares nothing");
            return failed(trial, null, 0, 0, wrong);
        }
        if (!worst.detail().isEmpty()) {
            wrong.add(0, worst.detail());
        }
        return wrong.isEmpty()
                ? new Finding(
                        trial.op(),
                        trial.name(),
                        Verdict.PASS,
                        worst.measure(),
                        worst.error(),
                        worst.bound(),
                        String.join("; ", actual.notes))
                : failed(trial, worst.measure(), worst.error(), worst.bound(), wrong);
    }

    private static Finding failed(
            Trial trial, Measure measure, double error, double bound, List<String> wrong) {
        String detail = String.join("; ", wrong);
        return new Finding(trial.op(), trial.name(), Verdict.FAIL, measure, error, bound, detail);
    }

    private static Finding compare(Trial trial, Output mine, Output right) {
        double bound = mine.bound().relativeL2();
        Measure measure = mine.bound().isBytes() ? Measure.BYTES : Measure.RELATIVE_L2;
        double error = mine.bound().isBytes() ? mine.differing(right) : mine.distance(right);
        if (error <= bound) {
            return new Finding(trial.op(), trial.name(), Verdict.PASS, measure, error, bound, "");
        }
        String detail =
                mine.bound().isBytes()
                        ? "%s differs in %d of %d bytes"
                                .formatted(mine.name(), (long) error, mine.bytes().length)
                        : "%s is off by %.1e, allowed %.1e".formatted(mine.name(), error, bound);
        return failed(trial, measure, error, bound, List.of(detail));
    }
}
