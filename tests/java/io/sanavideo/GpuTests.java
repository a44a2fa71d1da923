package io.sanavideo;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectPackage;

import java.io.PrintWriter;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * Runs the tests with the tag {@code gpu} where there is no Maven; with {@code --list} it names
 * them. Exit status 1 when one fails or there are none.
 */
public final class GpuTests {
    private GpuTests() {}

    public static void main(String[] arguments) {
        LauncherDiscoveryRequest request =
                LauncherDiscoveryRequestBuilder.request()
                        .selectors(selectPackage("io.sanavideo"))
                        .filters(TagFilter.includeTags("gpu"))
                        .build();
        Launcher launcher = LauncherFactory.create();
        boolean fine =
                arguments.length == 1 && arguments[0].equals("--list")
                        ? list(launcher.discover(request))
                        : run(launcher, request);
        System.exit(fine ? 0 : 1);
    }

    private static boolean list(TestPlan plan) {
        for (TestIdentifier root : plan.getRoots()) {
            plan.getDescendants(root).stream()
                    .filter(TestIdentifier::isTest)
                    .forEach(test -> System.out.println(name(test)));
        }
        return plan.countTestIdentifiers(TestIdentifier::isTest) > 0;
    }

    private static boolean run(Launcher launcher, LauncherDiscoveryRequest request) {
        SummaryGeneratingListener summaries = new SummaryGeneratingListener();
        launcher.execute(
                request,
                summaries,
                new TestExecutionListener() {
                    @Override
                    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                        if (test.isTest()) {
                            System.out.println(result.getStatus() + " " + name(test));
                        }
                    }
                });
        TestExecutionSummary summary = summaries.getSummary();
        summary.printFailuresTo(new PrintWriter(System.out));
        System.out.printf(
                "%d tests, %d failed, %d skipped%n",
                summary.getTestsFoundCount(),
                summary.getTotalFailureCount(),
                summary.getTestsSkippedCount());
        long found = summary.getTestsFoundCount();
        return found > 0
                && summary.getTestsSucceededCount() == found
                && summary.getTotalFailureCount() == 0;
    }

    /** Class and method. */
    private static String name(TestIdentifier test) {
        return test.getUniqueIdObject().getSegments().stream()
                .filter(segment -> !segment.getType().equals("engine"))
                .map(segment -> segment.getValue())
                .reduce((above, below) -> above + " " + below)
                .orElseThrow();
    }
}
