// A till on Adyen's own library, at the terminal given by its arguments. Each line of its input is
// a step; for each it prints the terminal's answer as JSON, as the library understood it.
"use strict";

const { Client, Config, EnvironmentEnum, TerminalLocalAPI } = require("@adyen/api-library");

const [endpoint, certificatePath, poiId] = process.argv.slice(2);
const securityKey = JSON.parse(process.argv[5]);

const config = new Config();
config.certificatePath = certificatePath;
// The library adds ":8443/nexo/" to it, and then leaves the query out.
config.terminalApiLocalEndpoint = `${endpoint}/nexo?`;
config.apiKey = "none";
config.environment = EnvironmentEnum.TEST;
config.connectionTimeoutMillis = 20000;
const api = new TerminalLocalAPI(new Client(config));

let services = 0;

async function ask(category, body, serviceId = `N${(services += 1)}`) {
    const SaleToPOIRequest = {
        MessageHeader: {
            MessageCategory: category,
            MessageClass: "Service",
            MessageType: "Request",
            ProtocolVersion: "3.0",
            ServiceID: serviceId,
            SaleID: "others",
            POIID: poiId,
        },
        [`${category}Request`]: body,
    };
    const answer = await api.request({ SaleToPOIRequest }, securityKey);
    return answer.SaleToPOIResponse;
}

function pay(amount, serviceId) {
    const TimeStamp = new Date().toISOString();
    return ask("Payment", {
        SaleData: { SaleTransactionID: { TransactionID: serviceId, TimeStamp } },
        PaymentTransaction: { AmountsReq: { Currency: "EUR", RequestedAmount: amount } },
    }, serviceId);
}

function reference(serviceId) {
    return { MessageCategory: "Payment", SaleID: "others", ServiceID: serviceId, POIID: poiId };
}

function status(serviceId) {
    return ask("TransactionStatus", { MessageReference: reference(serviceId) });
}

const steps = {
    login: () => ask("Login", {
        DateTime: new Date().toISOString(),
        OperatorLanguage: "en",
        SaleSoftware: {
            ManufacturerID: "others",
            ApplicationName: "others",
            SoftwareVersion: "1",
            CertificationCode: "none",
        },
    }),
    diagnose: () => ask("Diagnosis", { HostDiagnosisFlag: false }),
    pay: () => pay(10.99, "1"),
    again: () => pay(10.99, "1"),
    status: () => status("1"),
    refused: () => pay(20, "2"),
    stop: async () => {
        const waiting = pay(20, "3");
        let answer;
        do {
            answer = await status("3");
        } while (answer.TransactionStatusResponse.Response.ErrorCondition !== "InProgress");
        await ask("Abort", { AbortReason: "MerchantAbort", MessageReference: reference("3") });
        return waiting;
    },
    unknown: () => status("4"),
    reverse: async () => {
        const paid = (await status("1")).TransactionStatusResponse.RepeatedMessageResponse;
        const { PaymentResponse } = paid.RepeatedResponseMessageBody;
        const { POITransactionID } = PaymentResponse.POIData;
        return ask("Reversal", {
            OriginalPOITransaction: { POITransactionID },
            ReversalReason: "MerchantCancel",
        });
    },
    reconcile: () => ask("Reconciliation", { ReconciliationType: "SaleReconciliation" }),
    wrongKey: async () => {
        securityKey.Passphrase += "?";
        return ask("Diagnosis", {});
    },
};

require("readline").createInterface({ input: process.stdin }).on("line", async (step) => {
    try {
        console.log(JSON.stringify((await steps[step]()) ?? {}));
    } catch (error) {
        console.log(JSON.stringify({ error: `${error.name}: ${error.message}` }));
    }
});
